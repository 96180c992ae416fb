// Owns the wire tap: a channel that behaves like the one it wraps and records what passes. It changes nothing.

import type { Channel } from '@heddle/rpc';
import type { Message, Recording } from './recording.ts';

const decoder = new TextDecoder('utf-8', { fatal: true });

/** The client's side of a channel, recorded under the connection's name. */
export function recordChannel(channel: Channel, recording: Recording, connection: string): Channel {
  void channel.closed.then((reason) => recording.addClosed(connection, `${reason.code}: ${reason.message}`));
  const incoming = async function* () {
    for await (const bytes of channel.incoming) {
      recording.addMessage(connection, 'toClient', parse(bytes));
      yield bytes;
    }
  };
  return {
    incoming: incoming(),
    closed: channel.closed,
    send(bytes) {
      recording.addMessage(connection, 'toServer', parse(bytes));
      return channel.send(bytes);
    },
    close: (reason) => channel.close(reason),
  };
}

/** What is no JSON object is recorded too, in a shape that no schema allows. */
function parse(bytes: Uint8Array): Message {
  try {
    const value: unknown = JSON.parse(decoder.decode(bytes));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Message;
    return { notAnObject: value };
  } catch (error) {
    return { notJson: String(error) };
  }
}
