// Cost profiles: the machines that were published or measured, with what conntrack costs on them.
import { ownMachineProfiles } from '@kworkbench/mechanism';
import { machines, ownDefinitions } from './constants.js';

export const profiles = ownMachineProfiles(machines, ownDefinitions);
