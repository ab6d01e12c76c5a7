import process from 'node:process';
import { runService } from '@gatehouse/platform/process/run-service';
import { readPolicyConfig } from './config.ts';
import { startPolicy } from './service.ts';

await runService(process, { read: readPolicyConfig, start: startPolicy });
