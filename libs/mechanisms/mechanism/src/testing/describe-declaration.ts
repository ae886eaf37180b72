// What holds for everything that a mechanism declares. Each mechanism's specs call it.
import { describe, expect, it } from 'vitest';
import type { Mechanism } from '../mechanism.js';

export function describeDeclaration(mechanism: Mechanism): void {
  const { variants, metrics, profiles, published, headline = [] } = mechanism;

  describe(`the declaration of ${mechanism.name}`, () => {
    it.each([
      ['variant', variants.map(({ id }) => id)],
      ['metric', metrics.map(({ name }) => name)],
      ['profile', profiles.map(({ id }) => id)],
      ['published figure', published.map(({ id }) => id)],
    ])('gives every %s a name of its own', (_what, names) => {
      expect(names).toEqual([...new Set(names)]);
    });

    it('names only variants, metrics and profiles that exist', () => {
      const named = published.map(({ requires }) => requires['machine.profile'] ?? profiles[0]!.id);
      expect(variants.map(({ id }) => id)).toEqual(expect.arrayContaining(published.map(({ variant }) => variant)));
      expect(metrics.map(({ name }) => name)).toEqual(
        expect.arrayContaining([...headline, ...published.map(({ metric }) => metric)]),
      );
      expect(profiles.map(({ id }) => id)).toEqual(expect.arrayContaining(named));
    });

    it('accepts a range of each published figure, not nothing', () => {
      expect(published.filter(({ low, high }) => low > high).map(({ id }) => id)).toEqual([]);
    });

    it('gives every constant a unit, a source and a range that holds its value', () => {
      const incomplete = profiles.flatMap(({ id, constants }) =>
        constants
          .filter(({ value, unit, source, min, max }) => unit === '' || source === '' || value < min || value > max)
          .map(({ name }) => `${id}: ${name}`),
      );
      expect(incomplete).toEqual([]);
    });
  });
}
