// What a heddle daemon has on this computer: its places, configuration, identity, addresses and log.

export { type HostConfig, parseConfig } from './config.ts';
export { applyLive, type ConfigDifference, diffConfig } from './diff-config.ts';
export { Devices, type DevicesOptions, loadDevices } from './devices.ts';
export type { DeviceRecord } from './devices-file.ts';
export { type HostIdentity, loadIdentity } from './identity.ts';
export { LaunchEnvironment } from './launch-environment.ts';
export { loadConfig } from './load-config.ts';
export { logFiles } from './log-files.ts';
export { type LogLevel, logLevels } from './log-level.ts';
export { type HostLog, type LogOptions, openLog } from './open-log.ts';
export { createPairPayload, type PairPayloadSources } from './pair-payload.ts';
export { type HostPaths, resolvePaths } from './paths.ts';
export { ensurePrivateDir } from './private-dir.ts';
export { type ListeningAt, reachableAddresses } from './reachable-addresses.ts';
export { replaceToken } from './replace-token.ts';
