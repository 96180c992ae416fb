// Owns how the demo plays one turn: the steps in their order, at a pace that a person can follow.

import { type RunningTurn, uuidV7 } from '@heddle/bridge-kit';
import { setTimeout as sleep } from 'node:timers/promises';
import type { UserInput } from '@heddle/wire';
import { ownCommand, performCommand } from './command-step.ts';
import { FILE_NAME, performFileChange } from './file-step.ts';
import * as lines from './lines.ts';
import { readScript, type Step } from './script.ts';
import { gitDiff } from './text-diff.ts';

const WORD_MS = 10;
const SLOW_WORD_MS = 120;
const PLAN_STEP_MS = 60;

export class Performance {
  readonly #turn: RunningTurn;
  readonly #daemonEnv: NodeJS.ProcessEnv;
  /** What came of the steps, for the closing words. */
  #sentences: string[] = [];
  /** The demo has no tokens, so it counts words: those it was told and said before, said now, thought now. */
  readonly #words = { input: 0, output: 0, reasoning: 0 };
  /** What the demo's file held when this turn first wrote it, and what it holds now. */
  #written: { first: string | undefined; now: string } | undefined;

  constructor(turn: RunningTurn, daemonEnv: NodeJS.ProcessEnv) {
    this.#turn = turn;
    this.#daemonEnv = daemonEnv;
  }

  /** Plays until no message is left. Steering ends what is being said at once, a command or a question only after it. */
  async play(): Promise<void> {
    while (this.#turn.hasMessages) {
      const message = this.#turn.takeMessages().map(textOf).join('\n');
      this.#words.input += countWords(message);
      this.#sentences = [];
      const script = readScript(message);
      await (script.kind === 'tour' ? this.#tour() : this.#steps(script.steps));
    }
  }

  async #steps(steps: readonly Step[]): Promise<void> {
    for (const [index, step] of steps.entries()) {
      const isLast = index === steps.length - 1;
      await this.#perform(step, isLast);
      if (this.#turn.hasMessages) return;
      if (isLast && step.kind !== 'text' && step.kind !== 'slow') await this.#say(this.#sentences.join(' '), 'final_answer');
    }
  }

  async #perform(step: Step, isLast: boolean): Promise<void> {
    const phase = isLast ? 'final_answer' : 'commentary';
    switch (step.kind) {
      case 'text':
        return this.#say(step.text ?? lines.helloText, phase);
      case 'slow':
        return this.#say(lines.slowText(step.words), phase, SLOW_WORD_MS);
      case 'reason':
        return this.#reason();
      case 'plan':
        return this.#plan();
      case 'command':
        return this.#command(step.command ?? ownCommand);
      case 'file':
        return this.#file();
      case 'fail':
        throw new Error(lines.failureText);
    }
  }

  async #tour(): Promise<void> {
    const scenes = [
      () => this.#say(lines.introText, 'commentary'),
      () => this.#showPlan(lines.tourPlan, 0),
      () => this.#command(ownCommand),
      () => this.#showPlan(lines.tourPlan, 1),
      () => this.#file(),
      () => this.#showPlan(lines.tourPlan, 2),
      () => this.#say([...this.#sentences, lines.helpText].join(' '), 'final_answer'),
      () => this.#showPlan(lines.tourPlan, 3),
    ];
    for (const scene of scenes) {
      if (this.#turn.hasMessages) return;
      await scene();
    }
  }

  async #say(text: string, phase: 'commentary' | 'final_answer', wordMs = WORD_MS): Promise<void> {
    const { items, signal } = this.#turn;
    const id = uuidV7();
    items.start({ type: 'agentMessage', id, text: '', phase });
    for (const word of wordsOf(text)) {
      if (this.#turn.hasMessages) break;
      items.appendText(id, word);
      this.#words.output += 1;
      await sleep(wordMs, undefined, { signal });
    }
    items.complete(id);
    this.#endResponse();
  }

  async #reason(): Promise<void> {
    const { items, signal } = this.#turn;
    const id = uuidV7();
    items.start({ type: 'reasoning', id, summary: [], content: [] });
    for (const section of lines.reasoningSections) {
      items.addReasoningPart(id);
      for (const word of wordsOf(section)) {
        items.appendReasoning(id, word);
        this.#words.reasoning += 1;
        await sleep(WORD_MS, undefined, { signal });
      }
    }
    items.complete(id);
    this.#sentences.push('That was reasoning, and this is the answer.');
  }

  async #plan(): Promise<void> {
    for (let done = 0; done <= lines.shortPlan.length; done += 1) await this.#showPlan(lines.shortPlan, done);
    this.#endResponse();
    this.#sentences.push('The plan is done.');
  }

  async #showPlan(steps: readonly string[], done: number): Promise<void> {
    const statusOf = (index: number) => (index < done ? 'completed' : index === done ? 'inProgress' : 'pending');
    this.#turn.updatePlan(
      null,
      steps.map((step, index) => ({ step, status: statusOf(index) })),
    );
    await sleep(PLAN_STEP_MS, undefined, { signal: this.#turn.signal });
  }

  async #command(command: string): Promise<void> {
    const outcome = await performCommand(this.#turn, command, this.#daemonEnv);
    this.#endResponse();
    if (outcome.kind === 'cancelled') this.#stop();
    this.#sentences.push(lines.commandSentence(outcome));
  }

  async #file(): Promise<void> {
    const outcome = await performFileChange(this.#turn);
    if (outcome.kind === 'added' || outcome.kind === 'changed') {
      this.#written = { first: this.#written === undefined ? outcome.before : this.#written.first, now: outcome.after };
      this.#showDiff();
    }
    this.#endResponse();
    if (outcome.kind === 'cancelled') this.#stop();
    this.#sentences.push(lines.fileSentence(outcome));
  }

  /** A person answered a question with `cancel`: the turn ends as interrupted. */
  #stop(): never {
    this.#turn.cut({ status: 'interrupted' });
    throw this.#turn.signal.reason;
  }

  #showDiff(): void {
    if (this.#written !== undefined) this.#turn.updateDiff(gitDiff(FILE_NAME, this.#written.first, this.#written.now));
  }

  /** As in codex, the usage is told after each answer of the model, and the turn's diff again. */
  #endResponse(): void {
    const { input, output, reasoning } = this.#words;
    this.#turn.endResponse({ inputTokens: input, outputTokens: output + reasoning, reasoningOutputTokens: reasoning });
    this.#words.input += output;
    this.#words.output = 0;
    this.#words.reasoning = 0;
    this.#showDiff();
  }
}

/** Pieces that make the text again when they are joined. */
function wordsOf(text: string): string[] {
  return text.split(/(?<=\s)(?=\S)/);
}

function countWords(text: string): number {
  return text.split(/\s+/).filter((word) => word !== '').length;
}

/** The demo can't see pictures; only what was written counts. */
function textOf(content: readonly UserInput[]): string {
  return content.flatMap((input) => (input.type === 'text' ? [input.text] : [])).join('\n');
}
