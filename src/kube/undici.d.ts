/**
 * The parts of undici that are used, by their files: its index loads a browser's fetch, WebSockets, caches and mocks with
 * them, which took 4 MiB of each operator's memory.
 */
declare module 'undici/lib/dispatcher/pool.js' {
  export { Pool as default } from 'undici';
}
declare module 'undici/lib/dispatcher/proxy-agent.js' {
  export { ProxyAgent as default } from 'undici';
}
