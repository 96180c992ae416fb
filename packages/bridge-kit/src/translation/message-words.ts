// Owns what all agents take alike of a user's message: the words, and the skill that it asks for, which agents know as a
// slash command at the begin. Images and mentions each takes in its own way.

import type { UserInput } from '@heddle/wire';
import type { ImageInput } from './input-images.ts';

export interface MessageWords {
  /** Without the skill. */
  text: string;
  /** The first skill that was asked for; further ones are asked for in words. */
  skill: string | undefined;
  images: readonly ImageInput[];
  /** Paths of mentions that have no words. */
  mentions: readonly string[];
}

/** @param wordsOfMention how a mention is written in the text; absent: it is not */
export function messageWords(inputs: readonly UserInput[], wordsOfMention?: (path: string) => string): MessageWords {
  const texts: string[] = [];
  const images: ImageInput[] = [];
  const mentions: string[] = [];
  const skills: string[] = [];
  for (const input of inputs) {
    switch (input.type) {
      case 'text':
        texts.push(input.text);
        break;
      case 'image':
      case 'localImage':
        images.push(input);
        break;
      case 'mention':
        if (wordsOfMention === undefined) mentions.push(input.path);
        else texts.push(wordsOfMention(input.path));
        break;
      case 'skill':
        skills.push(input.name);
        break;
    }
  }
  const [skill, ...others] = skills;
  return { text: [...texts, ...others.map((name) => `Use the skill ${name} too.`)].join('\n'), skill, images, mentions };
}

/** The text with the skill before it, as whoever takes slash commands reads it. */
export function withSkill({ text, skill }: MessageWords): string {
  return skill === undefined ? text : `/${skill} ${text}`.trimEnd();
}
