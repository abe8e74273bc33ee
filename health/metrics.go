package health

import "github.com/prometheus/client_golang/prometheus"

// Names of metrics are read by dashboards and alarms: they are for ever.
const namespace = "nastavnik"

// register adds the monitor's metrics to a registry.
func (m *Monitor) register(r prometheus.Registerer) {
	m.outages = prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: namespace, Name: "part_outages_total", Help: "How often a part has gone away since the process began.",
	}, []string{"part"})
	for _, w := range m.watched {
		m.outages.WithLabelValues(w.state.Part.Name) // so that 0 is shown
	}
	r.MustRegister(m.outages, parts{m})
}

// parts collects the states as they are when they are asked for.
type parts struct{ m *Monitor }

func (p parts) up() *prometheus.Desc {
	return prometheus.NewDesc(namespace+"_part_up", "Whether a part works: 1, or 0 while it is away.", []string{"part"}, nil)
}

func (p parts) latency() *prometheus.Desc {
	return prometheus.NewDesc(namespace+"_part_latency_seconds", "How long the latest check of a part took.", []string{"part"}, nil)
}

// Describe implements prometheus.Collector.
func (p parts) Describe(ch chan<- *prometheus.Desc) {
	ch <- p.up()
	ch <- p.latency()
}

// Collect implements prometheus.Collector. A part that nobody has asked yet has no
// figures.
func (p parts) Collect(ch chan<- prometheus.Metric) {
	for _, s := range p.m.States() {
		if s.Since.IsZero() {
			continue
		}
		up := 0.0
		if s.Up {
			up = 1
		}
		ch <- prometheus.MustNewConstMetric(p.up(), prometheus.GaugeValue, up, s.Part.Name)
		ch <- prometheus.MustNewConstMetric(p.latency(), prometheus.GaugeValue, s.Latency.Seconds(), s.Part.Name)
	}
}
