import type { CallId } from '../../model/call-id.ts'

// BullMQ takes no colons in the IDs of its jobs. No part of a call ID has a dash in it.

export function jobIdOf(id: string): string {
  return id.replaceAll(':', '-')
}

export function callIdOf(jobId: string): CallId {
  return jobId.replaceAll('-', ':') as CallId
}
