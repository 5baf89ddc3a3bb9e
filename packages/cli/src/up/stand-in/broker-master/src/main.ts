import { standIn } from '../../stand-in.ts'

standIn('broker-master')
