// The real pi 0.87 proves what every agent behind the hub must.

import { describe } from 'vitest';
import { defineProofs } from './proofs/proofs.ts';
import { makeRealPi } from './support/real-pi.ts';

describe('pi 0.87', () => defineProofs(makeRealPi));
