#!/usr/bin/env node
import { runService } from '@tandemmq/platform-node'
import { startBrokerMaster } from './index.ts'

await runService(startBrokerMaster)
