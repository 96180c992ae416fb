// The real claude proves what every agent behind the hub must.

import { describe } from 'vitest';
import { defineProofs } from './proofs/proofs.ts';
import { makeRealClaude } from './support/real-claude.ts';

describe('claude', () => defineProofs(makeRealClaude));
