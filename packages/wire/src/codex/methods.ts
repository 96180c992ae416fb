// Owns the list of methods that heddle's own code speaks, each once, per direction. A bridge that passes bytes
// through carries every other method too; this is no filter.
// Source: codex app-server 0.169.

import type * as n from './notifications.ts';
import type * as r from './requests.ts';
import type * as s from './services.ts';
import type { Thread, ThreadId, Turn, TurnId, UserInput } from './items.ts';

interface RequestShape<Params, Result> {
  readonly params?: Params;
  readonly result?: Result;
}
interface NotificationShape<Params> {
  readonly params?: Params;
}
/** The types live in the compiler only; the tables' keys are the data. */
const request = <Params, Result>(): RequestShape<Params, Result> => ({});
const notification = <Params>(): NotificationShape<Params> => ({});

/** Requests from client to server. */
export const clientRequests = {
  initialize: request<r.InitializeParams, r.InitializeResult>(),
  'thread/start': request<r.ThreadStartParams, r.ThreadSettings>(),
  'thread/resume': request<r.ThreadResumeParams, r.ThreadSettings>(),
  'thread/fork': request<r.ThreadForkParams, r.ThreadSettings>(),
  'thread/list': request<r.ThreadListParams, r.Page<Thread>>(),
  'thread/loaded/list': request<r.PageParams, r.Page<ThreadId>>(),
  'thread/read': request<r.ThreadReadParams, { thread: Thread }>(),
  'thread/turns/list': request<r.ThreadTurnsListParams, r.Page<Turn>>(),
  'thread/items/list': request<r.ThreadItemsListParams, r.Page<r.ThreadItemEntry>>(),
  'thread/name/set': request<r.ByThread & { name: string }, Record<string, never>>(),
  'thread/archive': request<r.ByThread, Record<string, never>>(),
  'thread/unarchive': request<r.ByThread, { thread: Thread }>(),
  'thread/delete': request<r.ByThread, Record<string, never>>(),
  'thread/unsubscribe': request<r.ByThread, { status: 'unsubscribed' | 'notSubscribed' | 'notLoaded' }>(),
  'thread/revert': request<r.ByThread & { beforeTurnId: TurnId }, r.ThreadRevertResult>(),
  'thread/compact/start': request<r.ByThread, Record<string, never>>(),
  'thread/shellCommand': request<r.ThreadShellCommandParams, Record<string, never>>(),
  'thread/settings/update': request<r.ThreadSettingsUpdateParams, Record<string, never>>(),
  'thread/queue/add': request<r.ByThread & { input: UserInput[]; clientUserMessageId: string }, { queuedSubmission: r.QueuedSubmission }>(),
  'thread/queue/list': request<r.ByThread & r.PageParams, r.Page<r.QueuedSubmission>>(),
  'thread/queue/update': request<r.ByQueued & { input: UserInput[] }, { queuedSubmission: r.QueuedSubmission }>(),
  'thread/queue/delete': request<r.ByQueued, { deleted: boolean }>(),
  'thread/queue/reorder': request<r.ByThread & { queuedSubmissionIds: string[] }, Record<string, never>>(),
  'thread/queue/start': request<r.ByThread & { queuedSubmissionId?: string | null }, r.TurnStartResult>(),
  'thread/goal/get': request<r.ByThread, { goal: null }>(),
  'turn/start': request<r.TurnStartParams, r.TurnStartResult>(),
  'turn/steer': request<r.TurnSteerParams, { turnId: string }>(),
  'turn/interrupt': request<r.TurnInterruptParams, Record<string, never>>(),
  'model/list': request<{ cursor?: string | null; limit?: number | null; includeHidden?: boolean | null }, r.Page<r.Model>>(),
  'mcpServerStatus/list': request<r.McpServerStatusListParams, r.Page<r.McpServerStatus>>(),
  'skills/list': request<{ cwds?: string[] }, { data: r.SkillsListEntry[] }>(),
  'collaborationMode/list': request<Record<string, never>, { data: r.CollaborationModePreset[] }>(),
  'account/read': request<Record<string, unknown>, r.AccountReadResult>(),
  'account/rateLimits/read': request<undefined, r.RateLimitsReadResult>(),
  'config/read': request<Record<string, unknown>, r.ConfigReadResult>(),
  'configRequirements/read': request<undefined, { requirements: null }>(),
  'hooks/list': request<{ cwds?: string[] }, { data: r.HooksListEntry[] }>(),
  'command/exec': request<s.CommandExecParams, s.CommandExecResult>(),
  'command/exec/write': request<s.CommandExecWriteParams, Record<string, never>>(),
  'command/exec/resize': request<s.CommandExecResizeParams, Record<string, never>>(),
  'command/exec/terminate': request<s.CommandExecTerminateParams, Record<string, never>>(),
  'fs/readFile': request<s.FsPathParams, s.FsReadFileResult>(),
  'fs/writeFile': request<s.FsWriteFileParams, Record<string, never>>(),
  'fs/readDirectory': request<s.FsPathParams, s.FsReadDirectoryResult>(),
  'fs/getMetadata': request<s.FsPathParams, s.FsGetMetadataResult>(),
  'fs/createDirectory': request<s.FsCreateDirectoryParams, Record<string, never>>(),
  'fs/remove': request<s.FsRemoveParams, Record<string, never>>(),
  'fs/copy': request<s.FsCopyParams, Record<string, never>>(),
  'fs/watch': request<s.FsWatchParams, s.FsPathParams>(),
  'fs/unwatch': request<s.FsUnwatchParams, Record<string, never>>(),
  fuzzyFileSearch: request<s.FuzzyFileSearchParams, s.FuzzyFileSearchResult>(),
  'fuzzyFileSearch/sessionStart': request<s.FuzzySessionStartParams, Record<string, never>>(),
  'fuzzyFileSearch/sessionUpdate': request<s.FuzzySessionUpdateParams, Record<string, never>>(),
  'fuzzyFileSearch/sessionStop': request<s.FuzzySessionStopParams, Record<string, never>>(),
} as const;

/** Requests that codex 0.169 has no more, or no schema of, and that phones made for an older one still send. */
export const olderClientRequests = {
  'thread/rollback': request<r.ByThread & { numTurns: number }, { thread: Thread }>(),
  getAuthStatus: request<Record<string, unknown>, r.AuthStatusResult>(),
  gitDiffToRemote: request<{ cwd: string }, s.GitDiffToRemoteResult>(),
} as const;

/** Requests that codex does not have, and heddle does. */
export const ownClientRequests = {
  'thread/unrevert': request<r.ByThread, { thread: Thread }>(),
} as const;

/** Notifications from client to server. */
export const clientNotifications = {
  initialized: notification<undefined>(),
} as const;

/** Requests from server to client: the moments when an agent needs a person. */
export const serverRequests = {
  'item/commandExecution/requestApproval': request<r.CommandApprovalParams, r.ApprovalResult>(),
  'item/fileChange/requestApproval': request<r.FileChangeApprovalParams, r.ApprovalResult>(),
  'item/tool/requestUserInput': request<r.UserInputRequestParams, r.UserInputResult>(),
} as const;

/** Notifications from server to client. */
export const serverNotifications = {
  'thread/started': notification<n.ThreadStarted>(),
  'thread/status/changed': notification<n.ThreadStatusChanged>(),
  'thread/archived': notification<r.ByThread>(),
  'thread/unarchived': notification<r.ByThread>(),
  'thread/deleted': notification<r.ByThread>(),
  'thread/closed': notification<r.ByThread>(),
  'thread/name/updated': notification<n.ThreadNameUpdated>(),
  'thread/reverted': notification<r.ByThread>(),
  'thread/queue/changed': notification<r.ByThread>(),
  /** For clients with the capability `experimentalApi` only. */
  'thread/settings/updated': notification<n.ThreadSettingsUpdated>(),
  'thread/tokenUsage/updated': notification<n.TokenUsageUpdated>(),
  'account/rateLimits/updated': notification<n.RateLimitsUpdated>(),
  'turn/started': notification<n.TurnNotice>(),
  'turn/completed': notification<n.TurnNotice>(),
  'turn/diff/updated': notification<n.TurnDiffUpdated>(),
  'turn/plan/updated': notification<n.TurnPlanUpdated>(),
  'item/started': notification<n.ItemStarted>(),
  'item/completed': notification<n.ItemCompleted>(),
  'item/agentMessage/delta': notification<n.TextDelta>(),
  'item/plan/delta': notification<n.TextDelta>(),
  'item/reasoning/summaryPartAdded': notification<n.ReasoningSummaryPart>(),
  'item/reasoning/summaryTextDelta': notification<n.ReasoningSummaryDelta>(),
  'item/reasoning/textDelta': notification<n.ReasoningTextDelta>(),
  'item/commandExecution/outputDelta': notification<n.TextDelta>(),
  'item/fileChange/patchUpdated': notification<n.PatchUpdated>(),
  'serverRequest/resolved': notification<n.ServerRequestResolved>(),
  'command/exec/outputDelta': notification<s.CommandExecOutputDelta>(),
  'fs/changed': notification<s.FsChanged>(),
  'fuzzyFileSearch/sessionUpdated': notification<s.FuzzySessionUpdated>(),
  'fuzzyFileSearch/sessionCompleted': notification<s.FuzzySessionCompleted>(),
  error: notification<n.ErrorNotice>(),
  warning: notification<n.Warning>(),
} as const;

type ParamsIn<Table> = { [M in keyof Table]: Table[M] extends NotificationShape<infer P> ? P : never };
type ParamsOf<Table> = { [M in keyof Table]: Table[M] extends RequestShape<infer P, unknown> ? P : never };
type ResultOf<Table> = { [M in keyof Table]: Table[M] extends RequestShape<unknown, infer R> ? R : never };

export type ClientMethod = keyof typeof clientRequests;
export type ClientParams<M extends ClientMethod> = ParamsOf<typeof clientRequests>[M];
export type ClientResult<M extends ClientMethod> = ResultOf<typeof clientRequests>[M];
export type OlderClientMethod = keyof typeof olderClientRequests;
export type OlderClientResult<M extends OlderClientMethod> = ResultOf<typeof olderClientRequests>[M];
export type OwnClientMethod = keyof typeof ownClientRequests;
export type OwnClientResult<M extends OwnClientMethod> = ResultOf<typeof ownClientRequests>[M];
export type ServerRequestMethod = keyof typeof serverRequests;
export type ServerRequestParams<M extends ServerRequestMethod> = ParamsOf<typeof serverRequests>[M];
export type ServerRequestResult<M extends ServerRequestMethod> = ResultOf<typeof serverRequests>[M];
export type ServerNotificationMethod = keyof typeof serverNotifications;
export type ServerNotificationParams<M extends ServerNotificationMethod> = ParamsIn<typeof serverNotifications>[M];
