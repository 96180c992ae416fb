export type { Availability, Bridge, BridgeCapabilities, BridgeContext } from './bridge.ts';
export { createHubBridge, type HubBridgeOptions } from './hub-bridge.ts';
export { assertFolder } from './processes/assert-folder.ts';
export { believingYes } from './processes/believing-yes.ts';
export { type ChildProcess, type ChildProcessOptions, type Exit, startChildProcess } from './processes/child-process.ts';
export { endOrphans } from './processes/child-record.ts';
export { explainExit } from './processes/explain-exit.ts';
export { FolderReports } from './processes/folder-reports.ts';
export { Inbox } from './processes/inbox.ts';
export { leaseUnlessAborted } from './processes/lease-unless-aborted.ts';
export { type LineMessage, LineProcess, type LineProcessOptions } from './processes/line-process.ts';
export { PendingAnswers } from './processes/pending-answers.ts';
export { type Lease, type Poolable, ProcessPool, type ProcessPoolOptions } from './processes/process-pool.ts';
export { type Program, ProgramFinder } from './processes/program.ts';
export { signalGroup } from './processes/signal-group.ts';
export type { Call, Handler, HandlersOf } from './server/call.ts';
export { type Params, refusal } from './server/params.ts';
export { isInsideAny } from './services/inside-folder.ts';
export { runShellCommand, shellArguments } from './services/shell-command.ts';
export { updateHunks } from './services/update-hunks.ts';
export { entriesOf, foldersIn, inTurns } from './stores/folders.ts';
export { HistoryCache } from './stores/history-cache.ts';
export { appendJsonLines, readPart } from './stores/line-files.ts';
export type { ForkPoint, HubAgent, HubForAgent, McpServer, OpenedThread, Skill } from './threads/hub-agent.ts';
export type { Decision, UserAnswers } from './threads/open-questions.ts';
export type { RunningTurn, UserMessage } from './threads/running-turn.ts';
export type { CollaborationMode, SettingsInForce, WantedSettings } from './threads/thread-settings.ts';
export type { StoredHistory, StoredThread, StoredTurn, ThreadStore } from './threads/thread-store.ts';
export { addUsage, type ThreadUsage, usageAfter } from './threads/thread-usage.ts';
export {
  approvalPolicyInForce,
  areEditsFree,
  type Permissions,
  type ThreadWishes,
  withWishes,
} from './threads/thread-wishes.ts';
export type { ItemChanges, ResponseUsage, TurnEvent, TurnOutcome } from './threads/turn-events.ts';
export { TurnFailure } from './threads/turn-failure.ts';
export { uuidV7 } from './threads/uuid-v7.ts';
export { applyEvent, closeItems, type ItemsById } from './translation/apply-event.ts';
export { commandActions } from './translation/command-actions.ts';
export { type Fields, fieldsOf, listOf, numberOf, textOf } from './translation/fields.ts';
export { readFileText } from './translation/file-text.ts';
export { type ImageType, type InputImage, readInputImage } from './translation/input-images.ts';
export { messageWords, withSkill } from './translation/message-words.ts';
export { openedCommand, openedMcpCall, openedSubAgent, openedToolCall, openedWebSearch } from './translation/opened-items.ts';
export { bashLine, quoted } from './translation/shell-words.ts';
