import { defineConfig } from 'vitest/config';

// How long a test waits for something to become true; the library's second is short on a busy machine.
const expect = { poll: { timeout: 10_000 } };

// Two projects: `unit` needs nothing but this checkout; `agents` drives real agents, which scripts/test.ts installs.
export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 20_000, hookTimeout: 20_000, expect } },
      { test: { name: 'agents', include: ['test/agents/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000, expect } },
    ],
  },
});
