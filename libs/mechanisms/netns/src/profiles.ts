// Cost profiles: the machines that were measured or published, with what namespaces cost on them.
import { machineProfiles } from '@kworkbench/mechanism';
import { namespaceConstants } from './constants.js';

export const profiles = machineProfiles(namespaceConstants);
