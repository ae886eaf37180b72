// Ports that new flows are translated to: nat_get_unique_tuple() tries one after the other until one is free.
import { invariant } from '@kworkbench/machine';

export class NatPorts {
  /** What the last search tried. */
  probes = 0;
  private readonly used: Uint8Array;
  private taken = 0;
  private readonly portOf = new Map<number, number>();

  constructor(ports: number) {
    this.used = new Uint8Array(ports);
  }

  /** From a port given by the hash on. @returns the first free one, taken from now on, or -1. */
  take(hash: number): number {
    const { used } = this;
    // All of them are tried in vain; there is no need to look.
    if (this.taken === used.length) return this.none();
    for (let tried = 0; tried < used.length; tried++) {
      const port = (hash + tried) % used.length;
      if (used[port] === 1) continue;
      used[port] = 1;
      this.taken++;
      this.probes = tried + 1;
      return port;
    }
    return this.none();
  }

  private none(): number {
    this.probes = this.used.length;
    return -1;
  }

  /** The port belongs to the connection. */
  keep(conn: number, port: number): void {
    this.portOf.set(conn, port);
  }

  /** The port of a connection that is gone, or one that nobody keeps. */
  release(conn: number): void {
    const port = this.portOf.get(conn);
    if (port === undefined) return;
    this.portOf.delete(conn);
    this.putBack(port);
  }

  putBack(port: number): void {
    invariant(this.used[port] === 1, 'NAT: a free port is given back');
    this.used[port] = 0;
    this.taken--;
  }
}
