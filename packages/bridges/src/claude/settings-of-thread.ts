// Owns the settings of one thread: what was wished so far, what its running process was told, and what is in force.

import { type Permissions, type SettingsInForce, type ThreadWishes, type WantedSettings, withWishes } from '@heddle/bridge-kit';
import { type AppliedSettings, readSettings, setEffort, setModel, setPermissionMode } from './control.ts';
import type { ClaudeProcess } from './process.ts';
import { type ClaudeEffort, effortOf, type PermissionMode, permissionModeOf, settingsInForce } from './settings.ts';

/** With what a process was started, or told since. */
interface Told {
  process: ClaudeProcess;
  model: string | undefined;
  effort: ClaudeEffort | undefined;
  instructions: string | undefined;
  mode: PermissionMode;
}

const modes: readonly unknown[] = ['default', 'acceptEdits', 'plan', 'bypassPermissions'] satisfies PermissionMode[];

export class SettingsOfThread {
  readonly #permissions: Permissions;
  /** claude has changed something by itself. */
  readonly #onChanged: () => void;
  #wishes: ThreadWishes;
  #applied: AppliedSettings;
  #told: Told | undefined;

  constructor(options: { wishes: ThreadWishes; applied: AppliedSettings; permissions: Permissions; onChanged: () => void }) {
    this.#wishes = options.wishes;
    this.#applied = options.applied;
    this.#permissions = options.permissions;
    this.#onChanged = options.onChanged;
  }

  get inForce(): SettingsInForce {
    return settingsInForce(this.#wishes, this.#applied, this.#permissions);
  }

  get cwd(): string {
    return this.#wishes.cwd;
  }

  get model(): string | undefined {
    return this.#wishes.model;
  }

  get effort(): ClaudeEffort | undefined {
    return effortOf(this.#wishes);
  }

  get instructions(): string | undefined {
    return this.#wishes.developerInstructions;
  }

  get mode(): PermissionMode {
    return permissionModeOf(this.#wishes, this.#permissions);
  }

  /** Whether a running process can't be told what is wished now: instructions are given at the beginning only. */
  get needsNewProcess(): boolean {
    return this.#told !== undefined && this.#told.instructions !== this.instructions;
  }

  wish(wanted: WantedSettings): void {
    this.#wishes = withWishes(this.#wishes, wanted);
  }

  acceptEdits(): void {
    this.#wishes = { ...this.#wishes, areEditsAccepted: true };
  }

  leavePlanMode(): void {
    this.#wishes = { ...this.#wishes, mode: 'default' };
    this.#onChanged();
  }

  /** What will be in force once a process runs. */
  foresee(applied: AppliedSettings): void {
    this.#applied = applied;
  }

  /** A process was started with what `model`, `effort` and `instructions` say now. */
  noteStarted(process: ClaudeProcess, applied: AppliedSettings, mode: PermissionMode): void {
    this.#applied = applied;
    this.#told = { process, model: this.model, effort: this.effort, instructions: this.instructions, mode };
  }

  noteEnded(process: ClaudeProcess): void {
    if (this.#told?.process === process) this.#told = undefined;
  }

  /** claude changes its mode by itself too: it begins to plan, or a plan was accepted. */
  noteMode(mode: unknown): void {
    if (this.#told === undefined || !modes.includes(mode) || mode === this.#told.mode) return;
    this.#told.mode = mode as PermissionMode;
    if (mode === this.mode) return;
    this.#wishes = { ...this.#wishes, mode: mode === 'plan' ? 'plan' : 'default' };
    this.#onChanged();
  }

  /** Tells a running process what has changed since it was told last. */
  async tell(process: ClaudeProcess): Promise<void> {
    const told = this.#told;
    if (told?.process !== process) return;
    const { model, effort, mode } = this;
    const isChanged = told.model !== model || told.effort !== effort;
    if (model !== undefined && told.model !== model) await setModel(process, model);
    if (effort !== undefined && told.effort !== effort) await setEffort(process, effort);
    if (told.mode !== mode) {
      told.mode = mode; // first: claude tells of the change too
      await setPermissionMode(process, mode);
    }
    told.model = model;
    told.effort = effort;
    if (isChanged) this.#applied = await readSettings(process);
  }
}
