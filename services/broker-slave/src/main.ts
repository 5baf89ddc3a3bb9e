#!/usr/bin/env node
import { runService } from '@tandemmq/platform-node'
import { startBrokerSlave } from './index.ts'

await runService(startBrokerSlave)
