// What one namespace costs on the machine of a cell, worked out once from the profile's constants.
import { gracePeriodNs } from '@kworkbench/mechanism';
import type { NetnsKernel } from '../kernel.js';

export interface NsCosts {
  /** Control sockets: two per possible CPU (ICMPv4, ICMPv6) before 5.18, two in all since. */
  readonly ctlSocks: number;
  readonly socks: number;
  readonly createNs: number;
  readonly teardownNs: number;
  readonly passFixedNs: number;
  /** RCU callbacks that tearing one namespace down posts besides two for each socket. */
  readonly otherCallbacks: number;
  readonly gpNs: number;
}

export function nsCosts(constants: Readonly<Record<string, number>>, kernel: NetnsKernel, cpus: number): NsCosts {
  const ctlSocks = kernel.perCpuCtlSocks ? 2 * cpus : 2;
  const socks = constants['socksBase']! + ctlSocks;
  return {
    ctlSocks,
    socks,
    createNs: Math.round(constants['createBaseNs']! + ctlSocks * constants['createPerCtlSockNs']!),
    teardownNs: Math.round(constants['teardownBaseNs']! + ctlSocks * constants['teardownPerCtlSockNs']!),
    passFixedNs: Math.round(constants['passBaseNs']! + cpus * constants['passPerCpuNs']!),
    otherCallbacks: constants['rcuCallbacksPerNs']!,
    gpNs: gracePeriodNs(constants, cpus),
  };
}
