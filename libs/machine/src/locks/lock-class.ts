/**
 * What the locks of one kind are to lockdep (struct lock_class_key): two locks of one class are the same to it, two
 * classes never are, even when their names are alike. A class per call site of an init function keeps sites apart.
 */
export class LockClass {
  constructor(readonly name: string) {}
}
