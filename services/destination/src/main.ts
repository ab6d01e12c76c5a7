import process from 'node:process';
import { runService } from '@gatehouse/platform/process/run-service';
import { readDestinationConfig } from './config.ts';
import { startDestination } from './service.ts';

await runService(process, { read: readDestinationConfig, start: startDestination });
