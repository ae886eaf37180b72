// out_of_memory(): who is killed when nothing can be reclaimed (mm/oom_kill.c).
export interface OomCandidate {
  readonly name: string;
  /** -1000 (never) to 1000. */
  readonly oomScoreAdj: number;
  /** Resident memory, swap and page tables. */
  bytes(): number;
  /** Ends it; its memory comes back when it exits, by {@link OomKiller.exited}. */
  kill(): void;
}

const NEVER = -1000;

export class OomKiller {
  kills = 0;
  /** Killed, and not gone yet. Nobody else is killed meanwhile. */
  victim: OomCandidate | undefined = undefined;
  private readonly candidates = new Set<OomCandidate>();

  constructor(private readonly totalBytes: number) {}

  add(candidate: OomCandidate): void {
    this.candidates.add(candidate);
  }

  /** It is gone, killed or not. */
  exited(candidate: OomCandidate): void {
    this.candidates.delete(candidate);
    if (this.victim === candidate) this.victim = undefined;
  }

  /** Whether there is a victim whose memory can be waited for; kills one if not. */
  outOfMemory(): boolean {
    if (this.victim !== undefined) return true;
    const victim = this.select();
    if (victim === undefined) return false;
    this.victim = victim;
    this.kills++;
    victim.kill();
    return true;
  }

  /** select_bad_process(): the highest oom_badness(), the first of equals. */
  private select(): OomCandidate | undefined {
    let worst: OomCandidate | undefined;
    let worstPoints = -Infinity;
    for (const candidate of this.candidates) {
      if (candidate.oomScoreAdj === NEVER) continue;
      const points = candidate.bytes() + (candidate.oomScoreAdj * this.totalBytes) / 1000;
      if (points <= worstPoints) continue;
      worst = candidate;
      worstPoints = points;
    }
    return worst;
  }
}
