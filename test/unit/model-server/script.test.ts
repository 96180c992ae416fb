import { describe, expect, it } from 'vitest';
import { chooseStep, type ConversationTurn, prompt, type Step } from '../../model-server/script.ts';

const user = (text: string): ConversationTurn => ({ from: 'user', text });
const model: ConversationTurn = { from: 'model', text: '' };
const tool: ConversationTurn = { from: 'tool', text: '' };
const steps: Step[] = [{ text: 'first' }, { text: 'second' }];

describe('chooseStep', () => {
  it('says hello without a directive', () => {
    expect(chooseStep([user('Hi')])).toMatchObject({ step: { text: 'Hello from the scripted model.' }, script: 'no directive' });
  });
  it('takes the step that comes after the answers given', () => {
    const turns = [user('context'), user(prompt('Go.', steps))];
    expect(chooseStep(turns)).toMatchObject({ step: { text: 'first' }, script: 'inline', index: 0 });
    // A reasoning, a text and two calls are one answer.
    expect(chooseStep([...turns, model, model, model, tool, tool])).toMatchObject({ step: { text: 'second' }, index: 1 });
    expect(chooseStep([...turns, model, tool, model, tool])).toMatchObject({ step: { text: 'Done.' }, index: 2 });
  });
  it('takes the last directive of the conversation, though messages without one follow', () => {
    const turns = [user(prompt('One.', { text: 'one' })), model, user(prompt('Two.', { text: 'two' })), user('<a note of the agent>')];
    expect(chooseStep(turns)).toMatchObject({ step: { text: 'two' }, index: 0 });
  });
  it('knows scripts by name', () => {
    expect(chooseStep([user('@@fake:think@@')])).toMatchObject({ script: 'think', step: { text: 'The answer is 42.' } });
    expect(() => chooseStep([user('@@fake:nothing@@')])).toThrow('no script is named "nothing": there are text');
  });
  it('counts the images that came with the script', () => {
    const images = [{ mediaType: 'image/png', base64: 'AAAA' }];
    const turns = [
      { ...user('Earlier.'), images },
      { ...user(prompt('Look.', { text: 'x' })), images: [...images, ...images] },
    ];
    expect(chooseStep(turns).imageCount).toBe(2);
  });
  it('keeps any text whole', () => {
    const text = 'quotes " and \\ and ] and } and 世界';
    expect(chooseStep([user(prompt('Go.', { text }))]).step.text).toBe(text);
  });
  it('refuses a directive that it does not understand', () => {
    expect(() => chooseStep([user('@@fake {"txt":"typo"}@@')])).toThrow('a step has no "txt"');
    expect(() => chooseStep([user('@@fake [1]@@')])).toThrow('a step must be an object');
    expect(() => chooseStep([user('@@fake [{]@@')])).toThrow('is not JSON');
  });
});
