// What the parts of the conformance suite share: a store on a database that is new for each test.
import { openStore } from '../../open-store.js';
import type { Store } from '../../store.js';

export interface Database {
  readonly url: string;
  /** What it takes on the disk, without the log of what was written last. */
  diskBytes(): Promise<number> | number;
}

export class Bench {
  url = '';
  store!: Store;
  diskBytes!: Database['diskBytes'];
  readonly #opened: Store[] = [];

  constructor(readonly newDatabase: () => Promise<Database>) {}

  async begin(): Promise<void> {
    const database = await this.newDatabase();
    this.url = database.url;
    this.diskBytes = () => database.diskBytes();
    this.store = this.open();
    await this.store.migrate();
  }

  /** Another store on the same database. */
  open(): Store {
    const another = openStore(this.url);
    this.#opened.push(another);
    return another;
  }

  async end(): Promise<void> {
    for (const each of this.#opened.splice(0)) await each.close();
  }
}
