import process from 'node:process';
import { runService } from '@gatehouse/platform/process/run-service';
import { readIdentityConfig } from './config.ts';
import { startIdentity } from './service.ts';

await runService(process, { read: readIdentityConfig, start: startIdentity });
