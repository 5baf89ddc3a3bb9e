import type { Meter } from '@tandemmq/base'
import { diskSpace } from '@tandemmq/platform-node'

/** How full the file system of the store is. */
export function observeDisk(meter: Meter, root: string): void {
  const labels = { storage_type: 'local', storage_medium: 'disk' }
  meter.observe(
    'rocketmq_storage_size',
    'Bytes in use on the file system of the store, whoever uses them.',
    Object.keys(labels),
    () => {
      const space = diskSpace(root)
      return space === undefined ? [] : [{ labels, value: space.usedBytes }]
    },
  )
  meter.observe('rocketmq_ha_storage_free_bytes', 'Bytes that the store can still take.', [], () => {
    const space = diskSpace(root)
    return space === undefined ? [] : [{ value: space.freeBytes }]
  })
}
