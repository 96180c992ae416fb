// The real pi 0.73 proves what every agent behind the hub must.

import { describe } from 'vitest';
import { defineProofs } from './proofs/proofs.ts';
import { makeClassicPi } from './support/real-pi.ts';

describe('pi 0.73', () => defineProofs(makeClassicPi));
