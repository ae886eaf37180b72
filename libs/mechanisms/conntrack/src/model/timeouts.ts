// Kinds of timeouts, how long each lasts, and which one a packet moves its connection to (lib/conntrack-tp.c,
// conntrack-other.c, conntrack-tcp.c of Open vSwitch).

/** CT_TM_*: one expiration list each before the series. */
export const enum Tm {
  TcpFirstPacket,
  TcpOpening,
  TcpEstablished,
  TcpClosing,
  TcpFinWait,
  TcpClosed,
  OtherFirst,
  OtherMultiple,
  OtherBidir,
  IcmpFirst,
  IcmpReply,
}

export const TM_COUNT = 11;

/** Seconds, by kind: the defaults of ct_dpif_netlink and of the user space datapath. */
export const DEFAULT_TIMEOUT_S: readonly number[] = [30, 30, 86_400, 900, 45, 30, 60, 60, 30, 60, 30];

export type Protocol = 'udp' | 'tcp';

/** The kind after the `nth` packet (from 0) of a flow that is `packets` long. */
export function kindAfter(protocol: Protocol, nth: number, packets: number): Tm {
  if (protocol === 'udp') return nth === 0 ? Tm.OtherFirst : Tm.OtherMultiple;
  if (nth === 0) return Tm.TcpFirstPacket;
  if (nth === 1) return Tm.TcpOpening;
  return nth === packets - 1 ? Tm.TcpFinWait : Tm.TcpEstablished;
}

/** Timeout policies: per zone, replaced one at a time. A zone without one has the defaults. */
export class TimeoutPolicies {
  /** Lookups while a policy was away between removal and insertion of its successor. */
  readsOfNone = 0;
  private readonly byZone = new Map<number, number>();
  private readonly away = new Set<number>();

  /** @param seconds of every kind in zones without a policy; 0: the defaults. */
  constructor(private readonly seconds: number) {}

  timeoutNs(zone: number, tm: Tm): number {
    if (this.away.size > 0 && this.away.has(zone)) {
      this.readsOfNone++;
      return DEFAULT_TIMEOUT_S[tm]! * 1e9;
    }
    const seconds = this.byZone.get(zone) ?? this.seconds;
    return (seconds > 0 ? seconds : DEFAULT_TIMEOUT_S[tm]!) * 1e9;
  }

  /** The first half of an update: until {@link set}, lookups find nothing. */
  takeAway(zone: number): void {
    this.away.add(zone);
  }

  set(zone: number, seconds: number): void {
    this.away.delete(zone);
    this.byZone.set(zone, seconds);
  }
}
