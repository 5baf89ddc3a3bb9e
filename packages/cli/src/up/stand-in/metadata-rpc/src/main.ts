import { standIn } from '../../stand-in.ts'

standIn('metadata-rpc')
