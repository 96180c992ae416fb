// The daemon as a library: the command line starts it, and so do tests.

export { type Daemon, type DaemonOptions, startDaemon } from './daemon.ts';
