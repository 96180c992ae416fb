// Owns the shape of JSON-RPC messages as codex app-server speaks them: 2.0 without the `jsonrpc` member.
// Source: codex app-server 0.169, measured; the member is accepted and ignored on input.

export type RequestId = string | number;

export interface JsonRpcRequest {
  id: RequestId;
  method: string;
  params?: unknown;
}
export interface JsonRpcNotification {
  method: string;
  params?: unknown;
  /** Unix milliseconds; only from server to client. */
  emittedAtMs?: number;
}
export interface JsonRpcErrorBody {
  code: number;
  message: string;
  data?: unknown;
}
export type JsonRpcResponse = { id: RequestId; result: unknown } | { id: RequestId; error: JsonRpcErrorBody };
export type JsonRpcMessage = JsonRpcRequest | JsonRpcNotification | JsonRpcResponse;

export const jsonRpcCodes = {
  parseError: -32700,
  /** codex answers nearly every refusal with this one. */
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internalError: -32603,
  overloaded: -32001,
} as const;
