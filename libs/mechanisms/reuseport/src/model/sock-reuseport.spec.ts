import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Member, SockReuseport } from './sock-reuseport.js';

class Sock implements Member<Sock> {
  reuseportCb: SockReuseport<Sock> | undefined;
  constructor(readonly name: string) {}
}

const names = (socks: readonly Sock[]): string => socks.map(({ name }) => name).join(' ');
const socksOf = (list: string): Sock[] => list.split(' ').map((name) => new Sock(name));

function groupOf(socks: readonly Sock[], maxSocks?: number): SockReuseport<Sock> {
  const group = new SockReuseport<Sock>(0, maxSocks);
  for (const sk of socks) group.add(sk);
  return group;
}

function close(group: SockReuseport<Sock>, sk: Sock): void {
  group.detach(sk);
  group.addClosed(sk);
}

describe('the array of a group', () => {
  it('moves the last one into the slot of one that closes, and closed ones to its end (V-a)', () => {
    const [a, b, c, d] = socksOf('A B C D') as [Sock, Sock, Sock, Sock];
    const group = groupOf([a, b, c, d]);
    close(group, a);
    expect(names(group.live())).toBe('D B C');
    expect(group.socks[127]).toBe(a);
    close(group, b);
    expect(names(group.live())).toBe('D C');
    expect([group.socks[126], group.socks[127]]).toEqual([b, a]);

    group.detachClosed(a);
    a.reuseportCb = undefined;
    group.add(a);
    expect(group.socks[127]).toBe(b);
    expect(names(group.live())).toBe('D C A');
  });

  it('doubles when it is full, and keeps both sections where they belong', () => {
    const socks = socksOf('A B C D');
    const group = groupOf(socks, 4);
    close(group, socks[1]!);
    close(group, socks[0]!);
    const [e] = socksOf('E') as [Sock];
    expect(group.add(e)).toBe(true);
    expect(group.maxSocks).toBe(8);
    expect(names(group.live())).toBe('C D E');
    expect(names(group.closed())).toBe('A B');
    expect(group.socks[7]).toBe(socks[1]);
  });

  it('gives up the newest closed one at the ceiling, and has no room when none is closed', () => {
    const ceiling = 32_768;
    const socks = Array.from({ length: ceiling }, (_, i) => new Sock(`S${i}`));
    const group = groupOf(socks);
    expect(group.maxSocks).toBe(ceiling);
    expect(group.add(new Sock('one more'))).toBe(false);
    close(group, socks[0]!);
    close(group, socks[1]!);
    expect(group.add(new Sock('new'))).toBe(true);
    expect(socks[1]!.reuseportCb).toBeUndefined();
    expect(names(group.closed())).toBe('S0');
  });

  it('keeps everyone exactly once, whatever joins, closes, goes and listens again (I5)', () => {
    const step = fc.record({ kind: fc.constantFrom('join', 'close', 'go', 'relisten'), pick: fc.nat() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.constantFrom(2, 4, 128), (steps, maxSocks) => {
        const group = groupOf([], maxSocks);
        const live: Sock[] = [];
        const closed: Sock[] = [];
        const take = (from: Sock[], pick: number): Sock | undefined =>
          from.splice(pick % Math.max(1, from.length), 1)[0];
        for (const { kind, pick } of steps) {
          if (kind === 'join') {
            const sk = new Sock('x');
            group.add(sk);
            live.push(sk);
            continue;
          }
          const sk = take(kind === 'close' ? live : closed, pick);
          if (sk === undefined) continue;
          if (kind === 'close') {
            close(group, sk);
            closed.push(sk);
            continue;
          }
          group.detachClosed(sk);
          sk.reuseportCb = undefined;
          if (kind === 'relisten') {
            group.add(sk);
            live.push(sk);
          }
        }
        expect(new Set(group.live())).toEqual(new Set(live));
        expect(new Set(group.closed())).toEqual(new Set(closed));
        expect(group.socks.filter((sk) => sk !== undefined)).toHaveLength(live.length + closed.length);
        expect(group.numSocks + group.numClosedSocks).toBeLessThanOrEqual(group.maxSocks);
      }),
    );
  });
});
