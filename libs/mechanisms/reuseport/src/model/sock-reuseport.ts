// struct sock_reuseport of net/core/sock_reuseport.c: the array of a group. Those who listen are at its front, in no
// stable order; those who closed and may still be looked up by their half-open requests grow downward from its end.
//
//   socks[0 .. numSocks)                        listening
//   socks[maxSocks - numClosedSocks .. maxSocks) closed, the newest first
//
// Invariant: numSocks + numClosedSocks <= maxSocks; nobody is in the array twice.
import { invariant } from '@kworkbench/machine';

/** INIT_SOCKS */
const INITIAL_SOCKS = 128;
/** The counters are 16 bits wide. */
const U16_MAX = 0xffff;

export interface Member<S extends Member<S>> {
  /** sk_reuseport_cb */
  reuseportCb: SockReuseport<S> | undefined;
}

export class SockReuseport<S extends Member<S>> {
  socks: (S | undefined)[];
  maxSocks: number;
  numSocks = 0;
  numClosedSocks = 0;
  /** When a SYN cookie was last sent for the group: cookies are valid only shortly after. */
  synqOverflowNs = -Infinity;

  constructor(
    readonly id: number,
    maxSocks = INITIAL_SOCKS,
  ) {
    this.maxSocks = maxSocks;
    this.socks = new Array<S | undefined>(maxSocks).fill(undefined);
  }

  /** reuseport_add_sock(): false when the group is full for good. */
  add(sk: S): boolean {
    invariant(sk.reuseportCb === undefined, 'reuseport: a socket joins a second group');
    if (this.numSocks + this.numClosedSocks === this.maxSocks && !this.grow()) return false;
    this.socks[this.numSocks++] = sk;
    sk.reuseportCb = this;
    return true;
  }

  /** __reuseport_detach_sock(): the last one moves into the slot. @returns the slot, which is how many were scanned - 1. */
  detach(sk: S): number {
    const slot = this.socks.indexOf(sk);
    invariant(slot >= 0 && slot < this.numSocks, 'reuseport: it does not listen in this group');
    const last = --this.numSocks;
    this.socks[slot] = this.socks[last];
    this.socks[last] = undefined;
    return slot;
  }

  /** __reuseport_add_closed_sock(): after detach(), so there is room. */
  addClosed(sk: S): void {
    invariant(this.numSocks + this.numClosedSocks < this.maxSocks, 'reuseport: no room in the closed section');
    this.socks[this.maxSocks - ++this.numClosedSocks] = sk;
  }

  /** __reuseport_detach_closed_sock(): the newest one moves into its slot. */
  detachClosed(sk: S): void {
    const slot = this.socks.lastIndexOf(sk);
    const newest = this.maxSocks - this.numClosedSocks;
    invariant(slot >= newest, 'reuseport: it is not in the closed section');
    this.socks[slot] = this.socks[newest];
    this.socks[newest] = undefined;
    this.numClosedSocks--;
  }

  isClosedMember(sk: S): boolean {
    return this.socks.lastIndexOf(sk) >= this.maxSocks - this.numClosedSocks;
  }

  /** Those who listen, in the order of the array. */
  live(): readonly S[] {
    return this.socks.slice(0, this.numSocks) as S[];
  }

  /** Those who closed, the newest first. */
  closed(): readonly S[] {
    return this.socks.slice(this.maxSocks - this.numClosedSocks) as S[];
  }

  /** reuseport_grow(): at the ceiling the newest closed one has to go, and its half-open requests lose the group. */
  private grow(): boolean {
    if (this.maxSocks * 2 > U16_MAX) {
      const newest = this.socks[this.maxSocks - this.numClosedSocks];
      if (this.numClosedSocks === 0 || newest === undefined) return false;
      newest.reuseportCb = undefined;
      this.detachClosed(newest);
      return true;
    }
    const more = new Array<S | undefined>(this.maxSocks * 2).fill(undefined);
    for (let i = 0; i < this.numSocks; i++) more[i] = this.socks[i];
    for (let i = 1; i <= this.numClosedSocks; i++) more[more.length - i] = this.socks[this.maxSocks - i];
    this.socks = more;
    this.maxSocks = more.length;
    return true;
  }
}
