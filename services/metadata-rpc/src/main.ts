#!/usr/bin/env node
import { runService } from '@tandemmq/platform-node'
import { startMetadataRpc } from './start-metadata-rpc.ts'

await runService(startMetadataRpc)
