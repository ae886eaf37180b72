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

export const enum TargetBits {
  /** How many bits say the kind, and which. */
  Kind = 2,
  Mask = 3,
}

export const targetOf = (kind: TargetKind, index: number): number => (index << TargetBits.Kind) | kind;
export const indexOf = (target: number): number => target >>> TargetBits.Kind;
