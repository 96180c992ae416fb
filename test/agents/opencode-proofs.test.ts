// The real opencode proves what every agent behind the hub must.

import { describe } from 'vitest';
import { defineProofs } from './proofs/proofs.ts';
import { makeRealOpencode } from './support/real-opencode.ts';

describe('opencode', () => defineProofs(makeRealOpencode));
