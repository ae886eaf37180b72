// The kernel under study, as the options in which its designs differ. A variant is a preset of these; a toggle in a
// scenario (`spec.kernel`) sets one for all variants.
import { broughtSchema, integer } from '@kworkbench/mechanism';
import { z } from 'zod';

export const kernelSchema = z.strictObject({
  fqdirExit: z
    .enum(['workPerFqdir', 'oneWork', 'rhashWorkThenFreeWq', 'rhashWqThenFreeWork'])
    .default('workPerFqdir')
    .describe('How inet_frags tear a namespace down: which work item does the hash table, the barrier and the free'),
  fqdirListWalk: z
    .enum(['safe', 'unsafe'])
    .default('safe')
    .describe('Whether the free loop reads the next entry before it frees one (v1 of the series did not)'),
  fqdirFreeDelaySeconds: z
    .number()
    .min(0)
    .max(60)
    .default(0)
    .describe('Delay before fqdir_free_work runs (1 s since 6.10, 802e12ff9cbf)'),
  barrier: z
    .enum(['mutex', 'sequence'])
    .default('mutex')
    .describe('rcu_barrier() callers: behind barrier_mutex, or waiting on the barrier sequence without a global mutex'),
  barrierMutex: z
    .enum(['stealing', 'fair'])
    .default('stealing')
    .describe('barrier_mutex: as in the kernel, or first come first served'),
  maxActive: integer(1, 65_536).default(256).describe('max_active of system_wq per CPU (WQ_DFL_ACTIVE 256)'),
  batchCap: integer(0, 1_000_000)
    .default(0)
    .describe('Namespaces that one cleanup_net() pass takes at most; 0 takes the whole list'),
  userLimit: integer(0, 100_000_000)
    .default(0)
    .describe('user.max_net_namespaces; unshare gives ENOSPC at the limit; 0 is no limit'),
  perCpuCtlSocks: z
    .boolean()
    .default(true)
    .describe('Control sockets per possible CPU (ICMPv4, ICMPv6), as before 5.18; off: one of each per namespace'),
  expedited: z
    .boolean()
    .default(false)
    .describe('cleanup_net() waits for an expedited grace period (0734d7c3d93c, 2025)'),
  fqdirsPerNs: integer(0, 4)
    .default(2)
    .describe('Users of fragment reassembly: 2 (IPv4, IPv6), 3 with conntrack, 4 with 6LoWPAN'),
  rtnlWait: z
    .boolean()
    .default(false)
    .describe('unshare() takes RTNL to register lo, and so waits for the RTNL phase of cleanup_net()'),
  brought: broughtSchema,
});

export type NetnsKernel = z.output<typeof kernelSchema>;
