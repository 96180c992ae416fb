// `heddle devices`: who is paired with this computer; other names, lesser rights, removal.

import { type DeviceScope, deviceScopes } from '@heddle/wire';
import { Argument, Command } from 'commander';
import { askDaemon } from '../ask-daemon.ts';
import type { CliContext } from '../context.ts';
import { describeWindow } from '../describe-window.ts';
import { printable } from '../printable.ts';
import { renderDevices } from '../render-devices.ts';

export function devicesCommand(context: CliContext): Command {
  return new Command('devices')
    .description('see and manage the phones and programs that are paired with this computer')
    .helpCommand(false)
    .addCommand(listCommand(context), { isDefault: true })
    .addCommand(renameCommand(context))
    .addCommand(scopeCommand(context))
    .addCommand(revokeCommand(context));
}

const idArgument = () => new Argument('<id>', 'its name, its peer id, or the last letters of that');

function listCommand(context: CliContext): Command {
  return new Command('list')
    .description('list the devices: name, rights, when and where they were last seen, which agent they use')
    .option('--json', 'print JSON; its keys are stable')
    .action(async (options: { json?: true }) => {
      const answer = await askDaemon(context, 'devices', {});
      if (options.json) {
        context.print(JSON.stringify(answer, null, 2));
        return;
      }
      const { devices, window } = answer;
      if (devices.length === 0) context.print('No device is paired. `heddle pair` shows the code that pairs one.');
      else context.print(renderDevices(devices, Date.now(), context.paintStdout).join('\n'));
      if (window !== null)
        context.print(`The pairing window is ${describeWindow({ untilMs: window.until_ms, devices: window.devices }, Date.now())}.`);
    });
}

function renameCommand(context: CliContext): Command {
  return new Command('rename')
    .description('give a device another name')
    .addArgument(idArgument())
    .argument('<name>', 'what to call it, at most 64 characters')
    .action(async (id: string, name: string) => {
      const renamed = await askDaemon(context, 'devices.rename', { id, name });
      context.print(`The device ${renamed.peer_id} is called "${printable(renamed.name)}" now.`);
    });
}

function scopeCommand(context: CliContext): Command {
  return new Command('scope')
    .description('say what a device may do')
    .addArgument(idArgument())
    .addArgument(new Argument('<scope>', 'watch: read and follow, nothing else; drive: everything').choices(deviceScopes))
    .addHelpText('after', '\nIt holds at once, in open sessions too. A newly paired device may drive.')
    .action(async (id: string, scope: DeviceScope) => {
      const { name } = await askDaemon(context, 'devices.scope', { id, scope });
      context.print(scope === 'watch' ? `"${printable(name)}" may only watch now.` : `"${printable(name)}" may drive now.`);
    });
}

function revokeCommand(context: CliContext): Command {
  return new Command('revoke')
    .description('remove a device: it is cut off at once and let in no more')
    .addArgument(idArgument())
    .addHelpText(
      'after',
      `
A removed device still knows the token of this computer: inside a pairing window it could pair again, as it should when
it was removed by mistake. If it is in wrong hands, run \`heddle rotate\` too; then all devices pair again.`,
    )
    .action(async (id: string) => {
      const { name, ended_sessions: ended } = await askDaemon(context, 'devices.revoke', { id });
      const sessions = ended === 0 ? '' : `; ${ended === 1 ? 'one session was' : `${ended} sessions were`} ended`;
      context.print(`"${printable(name)}" was removed${sessions}.`);
      context.note('inside a pairing window it could pair again', 'If it is in wrong hands, run `heddle rotate` too.');
    });
}
