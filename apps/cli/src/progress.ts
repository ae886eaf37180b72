// Progress of a round of cells, on stderr: bars that are redrawn on a terminal, plain lines elsewhere.

export interface VariantCount {
  readonly variant: string;
  readonly done: number;
  readonly total: number;
}

/** Time until everything is done. */
export interface Remaining {
  readonly seconds: number;
  /** Part of the work is of a kind that has not been seen yet. */
  readonly atLeast: boolean;
}

export interface ProgressOutput {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

const BAR_WIDTH = 20;
/** Terminals: often enough to look alive, seldom enough to cost nothing. */
const REDRAW_MS = 100;
/** Logs: a sign of life this often, and one line per cell as long as there are few. */
const PLAIN_LINE_MS = 10_000;
const FEW_CELLS = 30;
const FALLBACK_COLUMNS = 80;

/** `9 s`, `4 min 10 s`, `2 h 5 min`. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 100) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  return minutes < 60 ? `${minutes} min ${whole % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** While something is left to do it takes some time: never `0 s`. */
const leftText = ({ seconds, atLeast }: Remaining): string =>
  `${atLeast ? 'at least ' : ''}${duration(Math.max(1, Math.ceil(seconds)))} left`;

export class Progress {
  #counts: readonly VariantCount[];
  #failed = 0;
  #drawnLines = 0;
  #lastDrawn = 0;
  #plainDone = 0;
  #remaining: () => Remaining | undefined = () => this.#byElapsed();
  #timer: NodeJS.Timeout | undefined;
  readonly #started = performance.now();
  readonly #doneAtStart: number;

  constructor(
    private readonly title: string,
    counts: readonly VariantCount[],
    private readonly output: ProgressOutput = process.stderr,
  ) {
    this.#counts = counts;
    this.#doneAtStart = this.#done();
    if (output.isTTY) this.#draw();
    else this.output.write(`${title}\n`);
    this.#timer = setInterval(() => this.#tick(), output.isTTY ? REDRAW_MS : PLAIN_LINE_MS);
    this.#timer.unref();
  }

  /** @param remaining undefined while nobody knows; the default goes by the cells done so far. */
  update(counts: readonly VariantCount[], failed: number, remaining = this.#remaining): void {
    this.#remaining = remaining;
    this.#counts = counts;
    this.#failed = failed;
    if (this.output.isTTY) {
      if (performance.now() - this.#lastDrawn >= REDRAW_MS) this.#draw();
    } else if (this.#total() <= FEW_CELLS && this.#done() !== this.#plainDone) {
      this.#plainLine();
    }
  }

  /** Draws the last state and leaves it standing. */
  close(): void {
    clearInterval(this.#timer);
    if (this.output.isTTY) this.#draw();
    else if (this.#done() !== this.#plainDone) this.#plainLine();
  }

  #tick(): void {
    if (this.output.isTTY) this.#draw();
    else this.#plainLine();
  }

  #done(): number {
    return this.#counts.reduce((sum, { done }) => sum + done, 0);
  }

  #total(): number {
    return this.#counts.reduce((sum, { total }) => sum + total, 0);
  }

  #elapsed(): string {
    const done = this.#done();
    const remaining = done < this.#total() ? this.#remaining() : undefined;
    return `${duration(this.#elapsedSeconds())}${remaining ? `, ${leftText(remaining)}` : ''}`;
  }

  #elapsedSeconds(): number {
    return (performance.now() - this.#started) / 1000;
  }

  #byElapsed(): Remaining | undefined {
    // Who begins to watch in the middle knows nothing of how long the cells before took.
    const done = this.#done() - this.#doneAtStart;
    const left = this.#total() - this.#done();
    return done === 0 ? undefined : { seconds: (this.#elapsedSeconds() / done) * left, atLeast: false };
  }

  #failures(): string {
    return this.#failed > 0 ? `, ${this.#failed} failed` : '';
  }

  #plainLine(): void {
    this.#plainDone = this.#done();
    const variants = this.#counts.map(({ variant, done, total }) => `${variant} ${done}/${total}`).join(', ');
    this.output.write(
      `${this.#done()} of ${this.#total()} cells${this.#failures()} (${variants}), ${this.#elapsed()}\n`,
    );
  }

  #draw(): void {
    const width = Math.max(...this.#counts.map(({ variant }) => variant.length));
    const columns = this.output.columns || FALLBACK_COLUMNS;
    const lines = [
      this.title,
      ...this.#counts.map(({ variant, done, total }) => {
        const full = total === 0 ? 0 : Math.round((done / total) * BAR_WIDTH);
        return `  ${variant.padEnd(width)}  ${'█'.repeat(full)}${'░'.repeat(BAR_WIDTH - full)} ${done}/${total}`;
      }),
      `  ${this.#elapsed()}${this.#failures()}`,
    ].map((line) => [...line].slice(0, columns - 1).join('')); // a wrapped line would break the redraw
    const up = this.#drawnLines > 0 ? `\x1b[${this.#drawnLines}A` : '';
    this.output.write(`${up}${lines.map((line) => `\x1b[2K${line}\n`).join('')}`);
    this.#drawnLines = lines.length;
    this.#lastDrawn = performance.now();
  }
}
