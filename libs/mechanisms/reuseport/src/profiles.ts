// Cost profiles: the machines that were measured or published, with what listeners cost on them.
import { machineProfiles } from '@kworkbench/mechanism';
import { reuseportConstants } from './constants.js';

/** The measured machine first: the costs of handshakes and closes were measured there. */
export const profiles = machineProfiles(reuseportConstants).toSorted(
  (a, b) => Number(b.id.startsWith('live618')) - Number(a.id.startsWith('live618')),
);
