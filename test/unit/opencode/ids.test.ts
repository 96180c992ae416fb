// The ids that heddle makes for opencode, and of opencode's.

import { describe, expect, it } from 'vitest';
import { messageIdMaker } from '../../../packages/bridges/src/opencode/message-id.ts';
import { threadIdOf } from '../../../packages/bridges/src/opencode/thread-id.ts';

describe('the id of a user’s message', () => {
  it('has opencode’s form, with the time in front', () => {
    // opencode itself named a message of this millisecond msg_215348e15002evplc2c8mlqyEw (1.18.33, recorded).
    const id = messageIdMaker(() => 1_795_652_095_509)();
    expect(id).toMatch(/^msg_[0-9a-f]{12}[0-9A-Za-z]{14}$/);
    expect(id.slice(0, 13)).toBe('msg_215348e15');
  });

  it('sorts behind the one before, whatever the clock does', () => {
    const times = [5_000, 5_000, 5_001, 4_000, 4_000, 5_002];
    const make = messageIdMaker(() => times.shift() ?? 5_002);
    const ids = Array.from({ length: 5_000 }, make);
    expect(ids.toSorted()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('the id of a thread', () => {
  it('is a UUID, always the same for a session', () => {
    expect(threadIdOf('ses_deacb7981ffeJZ7wM3WfC1ufwH')).toBe('e06b0b52-0809-8475-95ba-9e8d57cb425b');
    expect(threadIdOf('ses_deacb7981ffeJZ7wM3WfC1ufwI')).not.toBe(threadIdOf('ses_deacb7981ffeJZ7wM3WfC1ufwH'));
  });
});
