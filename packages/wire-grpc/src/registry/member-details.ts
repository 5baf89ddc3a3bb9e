import type { MemberDetails, VerificationDetails } from '@tandemmq/registry'
import type { registry as wire } from '@tandemmq/rpc'

export function detailsToWire(details: MemberDetails): wire.MemberDetails {
  const { replicas, following, metadataSync, okMeans, problems } = details
  return {
    replicas: replicas.map((replica) => ({
      ...replica,
      refusals: new Map(replica.refusals),
      ackLatency: { ...replica.ackLatency },
      verification: verificationToWire(replica.verification),
    })),
    following: following && {
      ...following,
      troubles: new Map(following.troubles),
      mismatches: [...following.mismatches],
    },
    metadataSync: metadataSync && { ...metadataSync, results: new Map(metadataSync.results) },
    okMeans,
    problems: [...problems],
  }
}

/** What is absent is empty. */
export function detailsFromWire(details: wire.MemberDetails | undefined): MemberDetails {
  return {
    replicas: (details?.replicas ?? []).map(({ ackLatency, verification, ...replica }) => ({
      ...replica,
      ackLatency: ackLatency ?? { count: 0, p50Ms: 0, p99Ms: 0, maxMs: 0 },
      verification: verificationFromWire(verification),
    })),
    ...(details?.following && { following: details.following }),
    ...(details?.metadataSync && { metadataSync: details.metadataSync }),
    okMeans: details?.okMeans ?? '',
    problems: details?.problems ?? [],
  }
}

function verificationToWire({ run, ...verification }: VerificationDetails): wire.VerificationDetails {
  return { ...verification, mismatches: [...verification.mismatches], run: run && { ...run } }
}

function verificationFromWire(given: wire.VerificationDetails | undefined): VerificationDetails {
  if (given === undefined) {
    return { verifiedTo: 0, comparedBytes: 0, skippedBytes: 0, mismatches: [], found: 0 }
  }
  const { run, ...verification } = given
  return { ...verification, ...(run && { run }) }
}
