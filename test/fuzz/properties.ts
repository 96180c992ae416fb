// Every fuzz property by its name. The suite runs each a few hundred times, scripts/fuzz.ts for minutes.

import type * as fc from 'fast-check';
import { controlAnswers } from './control.ts';
import { framesRoundTrip, frameReaderDecodes, jsonLinesRoundTrip, linesSplit } from './frames.ts';
import { answersAreChecked, handshakeIsDecidedUpon, pairTextIsChecked } from './handshake.ts';
import { linkDelivers, linkEndsWithReason } from './link.ts';

export interface Property {
  /** Asynchronous or not; `fc.check` takes both. */
  make: () => fc.IRawProperty<unknown>;
  /** Runs in the suite: about a second's worth. */
  runs: number;
}

export const properties: Record<string, Property> = {
  'frame decoder: any bytes in any chunks': { make: frameReaderDecodes, runs: 500 },
  'frames: what is written is read': { make: framesRoundTrip, runs: 200 },
  'lines: any bytes in any chunks': { make: linesSplit, runs: 500 },
  'JSON lines: what is written is read': { make: jsonLinesRoundTrip, runs: 200 },
  'handshake: any request': { make: handshakeIsDecidedUpon, runs: 500 },
  'handshake: any answer': { make: answersAreChecked, runs: 500 },
  'pair payload: any text': { make: pairTextIsChecked, runs: 500 },
  'control: any request': { make: controlAnswers, runs: 300 },
  'link: cuts, replaced streams, slow readers': { make: linkDelivers, runs: 60 },
  'link: the same, with junk and closes': { make: linkEndsWithReason, runs: 60 },
};
