// Owns what the server remembers of each request, for tests to look at: what the agent sent, what became of it.

import type { ModelRequest } from './dialect.ts';
import type { ChosenStep, ConversationTurn, ReceivedImage } from './script.ts';

/** One request that an agent made for an answer of the model. */
export interface LoggedRequest {
  dialect: string;
  model: string;
  isStreaming: boolean;
  /** The system prompt. */
  instructions: string;
  turns: readonly ConversationTurn[];
  /** All that the turns hold, those from tools too, oldest first. */
  images: ReceivedImage[];
  effort: string | undefined;
  thinking: ModelRequest['thinking'];
  /** Which sub-agent asked, where the agent tells (claude does). */
  subAgent: string | undefined;
  tools: string[];
  script: string;
  /** Which step of the script, from 0. */
  step: number;
  /** `abandoned`: the agent dropped the connection before the answer was complete, as an interrupted one should. */
  outcome: 'open' | 'answered' | 'error' | 'cut' | 'abandoned';
}

export function loggedRequest(dialect: string, asked: ModelRequest, chosen: ChosenStep): LoggedRequest {
  return {
    dialect,
    model: asked.model,
    isStreaming: asked.isStreaming,
    instructions: asked.instructions,
    turns: asked.turns,
    images: asked.turns.flatMap((turn) => turn.images ?? []),
    effort: asked.effort,
    thinking: asked.thinking,
    subAgent: asked.subAgent,
    tools: asked.tools.map((tool) => tool.name),
    script: chosen.script,
    step: chosen.index,
    outcome: 'open',
  };
}
