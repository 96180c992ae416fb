// A short run of every property. A failure prints its seed and path: `node scripts/fuzz.ts --seed N` runs it again.

import * as fc from 'fast-check';
import { describe, it } from 'vitest';
import { properties } from '../../fuzz/properties.ts';

describe('fuzz', () => {
  it.each(Object.entries(properties))('%s', { timeout: 60_000 }, async (_, { make, runs }) => {
    await fc.assert(make(), { numRuns: runs });
  });
});
