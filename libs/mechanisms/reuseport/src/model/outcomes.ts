// How connections end. Every one that was started ends in exactly one of these, or is still somewhere when the cell ends
// (I4).
export const enum Outcome {
  Open,
  Accepted,
  /** The child was queued, its listener closed, and nobody took it over. */
  QueueRst,
  /** Half-open: ACK or data came after the close. */
  AckRst,
  /** Half-open: the ACK was lost, the client waits for the server, and no request is left to send SYN+ACK again. */
  HalfOpenHang,
  /** Nobody listens. */
  Refused,
  /** The target stopped listening between pick and append. */
  TargetClosed,
  PolicyDrop,
  /** Who listens now is in another group: it listened too late. */
  NewGroup,
  /** The request expired, or was reset, for want of room in the accept queue. */
  Overflow,
  /** The client has retransmitted as often as it does. */
  TimedOut,
  /** The client gave up waiting. */
  GaveUp,
}

/** Names of the causes in metrics and tables, by outcome. */
export const outcomeNames = [
  'open',
  'accepted',
  'queue_rst',
  'ack_rst',
  'half_open_hang',
  'refused',
  'target_closed',
  'policy_drop',
  'new_group',
  'overflow',
  'timed_out',
  'gave_up',
] as const;

export const FIRST_LOSS = Outcome.QueueRst;

export class Outcomes {
  started = 0;
  readonly counts = new Float64Array(outcomeNames.length);

  get accepted(): number {
    return this.counts[Outcome.Accepted]!;
  }

  get lost(): number {
    let sum = 0;
    for (let i = FIRST_LOSS as number; i < this.counts.length; i++) sum += this.counts[i]!;
    return sum;
  }

  /** Started, and not ended. */
  get open(): number {
    return this.started - this.accepted - this.lost;
  }
}
