// The Codex TUI in front of the real pi.

import { describe } from 'vitest';
import { defineTuiProofs, prepareTui } from './proofs/tui.ts';
import { makeRealPi } from './support/real-pi.ts';

const at = prepareTui(makeRealPi);

describe('the Codex TUI in front of pi', () => {
  defineTuiProofs(at);
});
