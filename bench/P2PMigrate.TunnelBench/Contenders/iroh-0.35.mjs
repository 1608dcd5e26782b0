// receive IP: prints its address as JSON, then what it counted. send ADDRESS SECONDS SKIP: sends for so long.
import { createRequire } from 'node:module'
const { Iroh } = createRequire(process.cwd() + '/')('@number0/iroh')

const alpn = Buffer.from('p2pmigrate-bench/1')
const piece = 1 << 20

if (process.argv[2] === 'receive') {
  const accept = async (error, connection) => {
    if (error) throw error
    const stream = await connection.acceptUni()
    const head = Buffer.alloc(8)
    await stream.readExact(head)
    const skip = head.readDoubleLE(0)
    const buffer = Buffer.alloc(piece)
    const first = performance.now()
    let last = first, bytes = 0, measured = 0
    for (;;) {
      const read = await stream.read(buffer)
      if (read === null) break
      last = performance.now()
      bytes += Number(read)
      if ((last - first) / 1000 > skip) measured += Number(read)
    }
    console.log(JSON.stringify({ bytes, measured, seconds: (last - first) / 1000 - skip }))
  }
  const node = await Iroh.memory({ protocols: { [alpn]: () => ({ accept, shutdown: () => {} }) } })
  const wanted = process.argv[3]
  const address = await node.net.nodeAddr()
  const port = (address.addresses ?? []).filter(a => a.includes('.')).map(a => a.split(':').pop())[0]
  console.log(JSON.stringify({ nodeId: address.nodeId, addresses: [`${wanted}:${port}`] }))
  setInterval(() => {}, 1000)
} else {
  const node = await Iroh.memory({})
  const address = JSON.parse(process.argv[3])
  const [seconds, skip] = [Number(process.argv[4]), Number(process.argv[5])]
  const connection = await node.node.endpoint().connect(address, alpn)
  const stream = await connection.openUni()
  const head = Buffer.alloc(8)
  head.writeDoubleLE(skip)
  console.log('connected')
  await stream.writeAll(head)
  const buffer = Buffer.alloc(piece)
  const end = performance.now() + (seconds + skip) * 1000
  while (performance.now() < end) await stream.writeAll(buffer)
  await stream.finish()
  await connection.closed()
}
