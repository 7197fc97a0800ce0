import packageJson from '../../package.json' with { type: 'json' }

/** `crossbill 0.1.0`: printed by --version and written into plans. */
export const tool = `crossbill ${packageJson.version}`
