// What an event is addressed to: a kind in the low two bits, an index into the kind's own table above them. The run
// loop tells the kinds apart by a switch, so that neither a CPU nor a task needs a function of its own.

export const enum TargetKind {
  /** A function that the model registered. */
  Actor = 0,
  /** A CPU: the end of a switch or of a burst. */
  Cpu = 1,
  /** A task that sleeps: its time is over. */
  Sleep = 2,
  /** A high-resolution timer. */
  Timer = 3,
}

const KIND_BITS = 2;
const KIND_MASK = (1 << KIND_BITS) - 1;

export const targetOf = (kind: TargetKind, index: number): number => (index << KIND_BITS) | kind;
export const kindOf = (target: number): TargetKind => target & KIND_MASK;
export const indexOf = (target: number): number => target >>> KIND_BITS;
