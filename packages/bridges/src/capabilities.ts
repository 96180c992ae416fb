// Owns what each agent can do as the conformance scenarios have seen it: `npm run capabilities` writes the sheet, and
// `npm test` compares it with what it sees.

import type { BridgeCapabilities } from '@heddle/bridge-kit';
import sheet from './capability-sheet.json' with { type: 'json' };

export function capabilitiesOf(agent: keyof typeof sheet): BridgeCapabilities {
  return sheet[agent] as BridgeCapabilities;
}
