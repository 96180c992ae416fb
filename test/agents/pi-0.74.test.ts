// The real pi 0.74, between the two others: it has the present name of the package, and the protocol of the old one.

import { describe } from 'vitest';
import { defineConformance } from '../conformance/conformance.ts';
import { defineProofs } from './proofs/proofs.ts';
import { prepareAgent } from './support/agent-daemon.ts';
import { makeRealPi074 } from './support/real-pi.ts';

describe('pi 0.74 through libp2p', () => {
  const pi = prepareAgent(makeRealPi074);
  defineConformance(() => pi().daemon.underTest());
});

describe('pi 0.74', () => defineProofs(makeRealPi074));
